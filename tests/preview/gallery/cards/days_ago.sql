select 3 as "Days"
