"""Other versions of scikit-learn: estimators are packed in environments that have them."""
