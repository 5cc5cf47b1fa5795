ALTER TABLE `documents` RENAME COLUMN "locked_user" TO "lock_key";--> statement-breakpoint
DROP INDEX `documents_locked_user`;--> statement-breakpoint
UPDATE `documents` SET `lock_key` = 'user:' || `lock_key` WHERE `lock_key` IS NOT NULL;--> statement-breakpoint
UPDATE `documents` SET `lock_key` = (SELECT `key` || ':' || `value` FROM json_each(`document`, '$.spec.target') LIMIT 1) WHERE `kind` = 'lock' AND `lock_key` IS NULL;--> statement-breakpoint
CREATE INDEX `documents_lock_key` ON `documents` (`lock_key`) WHERE lock_key is not null;--> statement-breakpoint
ALTER TABLE `sessions` ADD `totp_id` text;