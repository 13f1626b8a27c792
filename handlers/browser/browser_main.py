"""The entry of a page: `answer` takes a request's parts from JavaScript, and returns those of the response.

There is no network below it: the page calls it as it would call `fetch`.
"""

import os

from browser_request import decode, encode

from flyweight.handler import bind

answer = bind(decode, encode, folder=os.path.dirname(os.path.abspath(__file__)), logs={"": lambda: lambda entry: None})
