DROP INDEX `documents_resource`;--> statement-breakpoint
CREATE UNIQUE INDEX `documents_resource` ON `documents` (`name`) WHERE kind not in ('role', 'lock', 'cluster_auth_preference');--> statement-breakpoint
ALTER TABLE `guards` ADD `preference` integer DEFAULT 0 NOT NULL;