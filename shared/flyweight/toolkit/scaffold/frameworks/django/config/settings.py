"""Set the project up by environment variables; https://docs.djangoproject.com/en/stable/ref/settings/ describes each setting."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parents[1]
MODEL = BASE_DIR / "@MODEL@"

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()  # set it once sessions or tokens are signed with it
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")
INSTALLED_APPS: list[str] = []
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
