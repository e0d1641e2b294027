"""Widgets for notebooks: the graph, live; a form for the parameters; sweeps; the table of runs.

They are made with ipywidgets and anywidget, and so work in JupyterLab, Notebook, VS Code and Colab alike. `static/`
holds what runs in the browser: it shows what is computed here, and decides nothing.
"""
