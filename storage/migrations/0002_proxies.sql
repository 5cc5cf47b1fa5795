CREATE TABLE `policy` (
	`slot` integer PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `proxies` (
	`id` text PRIMARY KEY NOT NULL,
	`x` text NOT NULL,
	`name` text NOT NULL,
	`registered_at` integer NOT NULL,
	`removed_at` integer
);
--> statement-breakpoint
ALTER TABLE `audit` ADD `event_id` text;--> statement-breakpoint
CREATE UNIQUE INDEX `audit_event` ON `audit` (`event_id`) WHERE event_id is not null;
--> statement-breakpoint
INSERT INTO `policy` (`slot`, `sequence`) VALUES (1, 1);
--> statement-breakpoint
CREATE TRIGGER `policy_users_insert` AFTER INSERT ON `users` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_users_update` AFTER UPDATE OF `name`, `removed_at` ON `users` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_users_delete` AFTER DELETE ON `users` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_user_roles_insert` AFTER INSERT ON `user_roles` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_user_roles_update` AFTER UPDATE ON `user_roles` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_user_roles_delete` AFTER DELETE ON `user_roles` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_credentials_insert` AFTER INSERT ON `credentials` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_credentials_update` AFTER UPDATE OF `removed_at`, `public_key`, `user_id` ON `credentials` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_credentials_delete` AFTER DELETE ON `credentials` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_documents_insert` AFTER INSERT ON `documents` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_documents_update` AFTER UPDATE ON `documents` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_documents_delete` AFTER DELETE ON `documents` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_signing_keys_insert` AFTER INSERT ON `signing_keys` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_signing_keys_update` AFTER UPDATE OF `activated_at`, `retired_at` ON `signing_keys` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `policy_signing_keys_delete` AFTER DELETE ON `signing_keys` BEGIN UPDATE `policy` SET `sequence` = `sequence` + 1; END;
