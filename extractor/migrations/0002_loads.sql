-- A load (mode 'load', `extractor load`) brings rows of many dates.

-- null for a load: so it is neither resumed nor taken for a day's run
alter table raw.extract_run alter column snapshot_date drop not null;

-- one film may be refused on several dates of a load
alter table raw.extract_failure
    drop constraint extract_failure_run_id_resource_resource_id_key,
    add unique (run_id, resource, resource_id, snapshot_date);
