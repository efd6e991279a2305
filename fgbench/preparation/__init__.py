"""From clips and votes to manifests: the run, its stages, their contract, their computations."""
