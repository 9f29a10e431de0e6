"""Why a call is or was decided so, in the same words for every model."""
