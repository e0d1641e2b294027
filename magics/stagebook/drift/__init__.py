"""Whether data has drifted: tests, a card for the notebook, Evidently's report, monitors."""
