"""Templates and scripts of `infra/`, checked by the providers' own tools as far as those go without an account."""
