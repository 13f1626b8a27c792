"""An application of Flask that answers with the model below /@NAME@: `flask run`, or `gunicorn app:app`."""

from pathlib import Path

from flask import Flask

import flyweight

MODEL = Path(__file__).resolve().parent / "@MODEL@"

app = Flask(__name__)
app.register_blueprint(flyweight.blueprint(MODEL), url_prefix="/@NAME@")
