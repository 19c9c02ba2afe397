-- Who made a token: its owner, or of one that belongs to nobody whoever made it, whose name stays there when they go.
ALTER TABLE api_tokens ADD COLUMN made_by TEXT;
UPDATE api_tokens SET made_by = user;
