"""Signing in and searching through the stock clients: no post, so nobody's password or search may be read, changed or refused.

The addresses, passwords and names in them would each be found in a post. Mastodon's and Bluesky's are tested beside their posts.
"""

import facebook
import praw
import pytest
import pytumblr
import tweepy
import words
from calls.google_api_python_client import youtube
from slack_sdk import WebClient


def reddit():
    return praw.Reddit(
        client_id="a", client_secret="b", username=words.SIGN_IN, password=words.PASSWORD, user_agent="x", check_for_updates=False
    )


def x_by_pin():
    handler = tweepy.OAuth1UserHandler("a", "b", callback="oob")
    handler.get_authorization_url()
    return handler.get_access_token(words.SSN)


SIGN_INS = {
    "praw": lambda: reddit().user.me(),
    "tweepy": x_by_pin,
    "slack_sdk": lambda: WebClient().oauth_v2_access(client_id="1.2", client_secret=words.PASSWORD, code=words.SSN),
    "facebook-sdk": lambda: facebook.GraphAPI("tok", version="3.1").get_app_access_token("219094417", words.PASSWORD),
}


@pytest.mark.parametrize("sign_in", SIGN_INS.values(), ids=SIGN_INS.keys())
def test_signing_in_passes_byte_for_byte(world, sign_in):
    assert world.same(sign_in, NONCES).arrived != []


SEARCHES = {
    "praw": lambda: list(reddit().subreddit("t").search(words.SEARCH, limit=1)),
    "slack_sdk": lambda: WebClient("xoxp-1").search_messages(query=words.SEARCH),
    "google-api-python-client": lambda: youtube().search().list(part="snippet", q=words.SEARCH).execute(),
    "PyTumblr": lambda: pytumblr.TumblrRestClient("a", "b", "c", "d").tagged(words.SEARCH),
    "tweepy": lambda: tweepy.Client("tok").search_recent_tweets(words.SEARCH),
}
# Some libraries write OAuth's parameters into the query or form.
NONCES = (rb"oauth_(nonce|timestamp|signature)=[^&]*",)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_search_passes_byte_for_byte(world, search):
    assert world.same(search, NONCES).arrived != []
