ALTER TABLE `users` ADD `traits` text;--> statement-breakpoint
DROP TRIGGER `policy_users_update`;
--> statement-breakpoint
CREATE TRIGGER `policy_users_update` AFTER UPDATE OF `name`, `traits`, `removed_at` ON `users` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
