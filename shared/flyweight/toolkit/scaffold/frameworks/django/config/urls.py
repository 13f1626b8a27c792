"""Answer with the model below /@NAME@/; `python manage.py check` reports a model that can't be loaded."""

from django.conf import settings
from django.urls import include, path

import flyweight

urlpatterns = [path("@NAME@/", include(flyweight.urls(settings.MODEL)))]
