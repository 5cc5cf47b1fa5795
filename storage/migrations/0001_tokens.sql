CREATE TABLE `client_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`credential_id` text NOT NULL,
	`client_id` text NOT NULL,
	`jkt` text NOT NULL,
	`scope` text NOT NULL,
	`authenticated_at` integer NOT NULL,
	`generation` integer NOT NULL,
	`rotated_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ended_at` integer,
	`end_reason` text,
	`ended_by` text,
	`address` text NOT NULL,
	`place` text NOT NULL,
	`browser` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`credential_id`) REFERENCES `credentials`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `client_sessions_user` ON `client_sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `client_sessions_expires` ON `client_sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`client_session_id` text NOT NULL,
	`client_id` text NOT NULL,
	`redirect_uri` text NOT NULL,
	`code_challenge` text NOT NULL,
	`jkt` text NOT NULL,
	`scope` text NOT NULL,
	`nonce` text NOT NULL,
	`user_id` text NOT NULL,
	`credential_id` text NOT NULL,
	`intent_id` text NOT NULL,
	`authenticated_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`credential_id`) REFERENCES `credentials`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `codes_expires` ON `codes` (`expires_at`);--> statement-breakpoint
CREATE TABLE `documents` (
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`document` text NOT NULL,
	`revision` text NOT NULL,
	`max_session_ttl` integer,
	`locked_user` text,
	`expires_at` integer,
	`updated_at` integer NOT NULL,
	`updated_by` text NOT NULL,
	PRIMARY KEY(`kind`, `name`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `documents_resource` ON `documents` (`name`) WHERE kind not in ('role', 'lock');--> statement-breakpoint
CREATE INDEX `documents_locked_user` ON `documents` (`locked_user`) WHERE locked_user is not null;--> statement-breakpoint
CREATE TABLE `invites` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`key` text NOT NULL,
	`tap` text NOT NULL,
	`request` text NOT NULL,
	`invited_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `invites_user` ON `invites` (`user_id`);--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`generation` integer PRIMARY KEY NOT NULL,
	`kid` text NOT NULL,
	`x` text NOT NULL,
	`sealed` blob,
	`created_at` integer NOT NULL,
	`activated_at` integer,
	`retired_at` integer
);
--> statement-breakpoint
CREATE TABLE `user_roles` (
	`user_id` text NOT NULL,
	`role` text NOT NULL,
	PRIMARY KEY(`user_id`, `role`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `user_roles_role` ON `user_roles` (`role`);--> statement-breakpoint
DROP INDEX `users_name_key`;--> statement-breakpoint
ALTER TABLE `users` ADD `removed_at` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `users_name_key` ON `users` (`name_key`) WHERE removed_at is null;--> statement-breakpoint
ALTER TABLE `guards` ADD `lock` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `code` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `client` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `invite` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `revision` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `role` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `given` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `held` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `rotation` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
INSERT INTO `user_roles` (`user_id`, `role`)
SELECT DISTINCT `credentials`.`user_id`, `preset`.`role` FROM `credentials`,
	(SELECT 'access' AS `role` UNION ALL SELECT 'editor' UNION ALL SELECT 'auditor') AS `preset`
WHERE `credentials`.`is_root` = 1;
