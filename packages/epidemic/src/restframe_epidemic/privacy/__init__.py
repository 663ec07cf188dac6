"""Who may know what of patients: tokens for identifiers, roles, and what of small counts may be published."""
