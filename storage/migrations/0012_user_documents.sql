ALTER TABLE `users` ADD `updated_by` text;--> statement-breakpoint
ALTER TABLE `users` ADD `approved_by` text;