"""Ask the application for the model's own sample, by Flask's client."""

from app import MODEL, app

from flyweight.predictor import load

MODEL_FILE = load(str(MODEL))
INSTANCES = MODEL_FILE.file.document["sample"]["instances"]  # of the rows with which it was packed


def test_the_model_answers_as_it_did_when_it_was_packed() -> None:
    """The sample and its answers are part of the model file."""
    assert app.test_client().get("/@NAME@/ready").status_code == 200


def test_the_application_answers_as_the_model() -> None:
    """Over HTTP as in Python."""
    answer = app.test_client().post("/@NAME@/predict", json={"instances": INSTANCES})
    assert answer.status_code == 200
    assert answer.json["predictions"] == MODEL_FILE.predict(INSTANCES).predictions
