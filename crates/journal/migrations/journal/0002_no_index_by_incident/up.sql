-- Which events are of an incident is kept in memory by whoever reads: an index here cost each commit a page for every incident.
DROP INDEX events_by_incident;
