"""The controls: the only modules that import ipywidgets. `import kvmlab` never comes here."""
