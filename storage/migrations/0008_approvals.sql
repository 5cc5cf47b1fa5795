CREATE TABLE `approvals` (
	`intent_id` text PRIMARY KEY NOT NULL,
	`tap` text NOT NULL,
	`request` text NOT NULL,
	`user_id` text NOT NULL,
	`at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
ALTER TABLE `credentials` ADD `entrusted_by` text REFERENCES approvals(intent_id);--> statement-breakpoint
ALTER TABLE `documents` ADD `approved_by` text REFERENCES approvals(intent_id);