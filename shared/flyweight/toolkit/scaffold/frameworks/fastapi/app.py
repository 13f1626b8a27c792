"""An application of FastAPI that answers with the model below /@NAME@: `uvicorn app:app`."""

from pathlib import Path

from fastapi import FastAPI

import flyweight

MODEL = Path(__file__).resolve().parent / "@MODEL@"

app = FastAPI(title="@NAME@")
app.include_router(flyweight.router(MODEL), prefix="/@NAME@")
