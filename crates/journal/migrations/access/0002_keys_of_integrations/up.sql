-- What a row that belongs to no person is for: 'integration key' goes when no integration names it. Of other rows it is not told.
ALTER TABLE vault ADD COLUMN purpose TEXT;
