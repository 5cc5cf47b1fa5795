ALTER TABLE `administrator_link` ADD `name` text;
--> statement-breakpoint
ALTER TABLE `guards` ADD `vouching` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE `sessions` ADD `last_seen_at` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
UPDATE `sessions` SET `last_seen_at` = unixepoch() * 1000;
