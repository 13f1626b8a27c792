"""Ask the project for the model's own sample, by Django's client."""

from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase

from flyweight.predictor import load


class ModelTest(SimpleTestCase):
    """The model below /@NAME@/."""

    def test_the_project_answers_as_the_model(self) -> None:
        """Over HTTP as in Python."""
        model = load(str(settings.MODEL))
        body = {"instances": model.file.document["sample"]["instances"]}
        answer = self.client.post("/@NAME@/predict", body, content_type="application/json")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json()["predictions"], model.predict(body["instances"]).predictions)

    def test_the_system_check_finds_no_fault(self) -> None:
        """It loads the model, which answers its own sample as it did when it was packed."""
        call_command("check")
