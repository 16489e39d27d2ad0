import pytest

from covdemo.fields import quote


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("see www.evil.example :bug:", "'see www?evil.example ?bug?'"),
        ("WWW.e", "'WWW?e'"),
        ("https://e", "'https???e'"),
        ("a" * 37 + "www.e", f"'{'a' * 37}www?..'"),
        ("__bold__ _x_ a__b__c", "'??bold?? ?x? a??b??c'"),
        ("petal_length, 1.5; -.5e+3", "'petal_length, 1.5; -.5e+3'"),
        ("é" * 41, f"'{'é' * 40}...'"),
    ],
)
def test_what_is_quoted_is_no_markup_and_keeps_names_and_numbers(text, quoted):
    assert quote(text) == quoted
