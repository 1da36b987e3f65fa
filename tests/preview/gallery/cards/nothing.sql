select 'x' as "Name", 1 as "Value" where false
