-- What a token is kept to beside its role: the words of its scopes with a blank between them, and its requests within a minute. One of
-- before has neither, as one that is made without.
ALTER TABLE api_tokens ADD COLUMN scopes TEXT;
ALTER TABLE api_tokens ADD COLUMN requests_per_minute INTEGER;
