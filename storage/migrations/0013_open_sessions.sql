CREATE TABLE `open_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`proxy_id` text NOT NULL,
	`boot` text NOT NULL,
	`kind` text NOT NULL,
	`resource` text NOT NULL,
	`principal` text NOT NULL,
	`impersonated` text,
	`address` text NOT NULL,
	`opened_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `open_sessions_proxy` ON `open_sessions` (`proxy_id`);--> statement-breakpoint
CREATE INDEX `open_sessions_user` ON `open_sessions` (`user_id`);