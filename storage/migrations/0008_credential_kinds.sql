ALTER TABLE `credentials` ADD `kind` text DEFAULT 'passkey' NOT NULL;--> statement-breakpoint
ALTER TABLE `credentials` ADD `attestation` text;