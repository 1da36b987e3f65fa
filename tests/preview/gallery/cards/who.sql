select current_user as "Role"
