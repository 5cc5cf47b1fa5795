CREATE TABLE `__new_client_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`credential_id` text,
	`totp_id` text,
	`client_id` text NOT NULL,
	`jkt` text NOT NULL,
	`scope` text NOT NULL,
	`via` text DEFAULT 'browser' NOT NULL,
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
INSERT INTO `__new_client_sessions`("id", "user_id", "credential_id", "client_id", "jkt", "scope", "via", "authenticated_at", "generation", "rotated_at", "expires_at", "ended_at", "end_reason", "ended_by", "address", "place", "browser") SELECT "id", "user_id", "credential_id", "client_id", "jkt", "scope", "via", "authenticated_at", "generation", "rotated_at", "expires_at", "ended_at", "end_reason", "ended_by", "address", "place", "browser" FROM `client_sessions`;--> statement-breakpoint
DROP TABLE `client_sessions`;--> statement-breakpoint
ALTER TABLE `__new_client_sessions` RENAME TO `client_sessions`;--> statement-breakpoint
CREATE INDEX `client_sessions_user` ON `client_sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `client_sessions_expires` ON `client_sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `__new_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`client_session_id` text NOT NULL,
	`client_id` text NOT NULL,
	`redirect_uri` text NOT NULL,
	`code_challenge` text NOT NULL,
	`jkt` text NOT NULL,
	`scope` text NOT NULL,
	`nonce` text NOT NULL,
	`user_id` text NOT NULL,
	`credential_id` text,
	`totp_id` text,
	`password_id` text,
	`intent_id` text NOT NULL,
	`authenticated_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`credential_id`) REFERENCES `credentials`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
INSERT INTO `__new_codes`("hash", "client_session_id", "client_id", "redirect_uri", "code_challenge", "jkt", "scope", "nonce", "user_id", "credential_id", "intent_id", "authenticated_at", "expires_at", "used_at") SELECT "hash", "client_session_id", "client_id", "redirect_uri", "code_challenge", "jkt", "scope", "nonce", "user_id", "credential_id", "intent_id", "authenticated_at", "expires_at", "used_at" FROM `codes`;--> statement-breakpoint
DROP TABLE `codes`;--> statement-breakpoint
ALTER TABLE `__new_codes` RENAME TO `codes`;--> statement-breakpoint
CREATE INDEX `codes_expires` ON `codes` (`expires_at`);--> statement-breakpoint
ALTER TABLE `device_codes` ADD `totp_id` text;--> statement-breakpoint
ALTER TABLE `device_codes` ADD `password_id` text;