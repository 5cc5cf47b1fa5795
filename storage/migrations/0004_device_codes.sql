CREATE TABLE `device_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`user_code` text NOT NULL,
	`client_session_id` text NOT NULL,
	`client_id` text NOT NULL,
	`jkt` text NOT NULL,
	`scope` text NOT NULL,
	`address` text NOT NULL,
	`place` text NOT NULL,
	`browser` text NOT NULL,
	`asked_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`interval` integer NOT NULL,
	`polled_at` integer,
	`user_id` text,
	`refused_at` integer,
	`authenticated_at` integer,
	`credential_id` text,
	`intent_id` text,
	`used_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `device_codes_user_code` ON `device_codes` (`user_code`);--> statement-breakpoint
CREATE INDEX `device_codes_expires` ON `device_codes` (`expires_at`);--> statement-breakpoint
ALTER TABLE `client_sessions` ADD `via` text DEFAULT 'browser' NOT NULL;--> statement-breakpoint
ALTER TABLE `documents` ADD `device_flow` integer;--> statement-breakpoint
ALTER TABLE `guards` ADD `device` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `flow` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `guards` ADD `room` integer DEFAULT 0 NOT NULL;