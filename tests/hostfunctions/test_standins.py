"""The stand-ins for the platform's packages behave as the packages were measured to."""

import pytest

from tests.guests.lab import Calls, evaluate, value_of

API = """
const api = packages.api.default;
const { route } = packages.api;
const told = async (act) => {
  try {
    return await act();
  } catch (error) {
    return { ...error, name: error.name, message: error.message,
      kin: Object.keys(packages.api).filter((name) => packages.api[name]?.prototype instanceof Error
        && error instanceof packages.api[name]) };
  }
};
"""
UUID = "11111111-1111-4111-8111-111111111111"
RUNTIME = {
    "aaid": "the-user",
    "contextAri": "ari:cloud:jira::site/mine",
    "appContext": {
        "appId": UUID,
        "appVersion": "1.0.0",
        "environmentId": UUID,
        "environmentType": "DEVELOPMENT",
        "invocationId": UUID,
        "installationId": UUID,
        "moduleKey": "panel",
        "permissions": {"scopes": ["read:jira-work"], "external": {}},
    },
}


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(text.split())


def api_value(source: str, door: Calls | None = None) -> object:
    """Return the value of an expression that uses the stand-in for `@forge/api`."""
    return value_of(source, setup=API, door=door or Calls(), extra={"runtime": RUNTIME})


def test_the_packages_export_the_names_of_the_measured_versions() -> None:
    names = evaluate(
        *(f"Object.keys(packages.{name})" for name in ("api", "resolver", "events", "kvs"))
    )
    api, resolver, events, kvs = (set(one) for one in names if isinstance(one, list))
    assert api >= words(
        "FUNCTION_ERR ExternalEndpointNotAllowedError FetchError HttpError NotAllowedError "
        "InvalidWorkspaceRequestedError NeedsAuthenticationError ProductEndpointNotAllowedError "
        "ProxyRequestError RequestProductNotAllowedError __fetchProduct __getRuntime "
        "__requestAtlassianAsApp __requestAtlassianAsUser asApp asUser assumeTrustedRoute "
        "authorize bindInvocationContext createRequestStargateAsApp default fetch getAppContext "
        "i18n invokeRemote invokeService isExpectedError isForgePlatformError isHostedCodeError "
        "permissions privacy requestBitbucket requestConfluence requestJira route "
        "routeFromAbsolute webTrigger"
    )
    assert resolver == {"default", "makeResolver"}
    assert events >= {
        "Queue",
        "InvocationError",
        "InvocationErrorCode",
        "appEvents",
        "RateLimitError",
    }
    assert kvs >= {
        "kvs",
        "default",
        "WhereConditions",
        "FilterConditions",
        "Sort",
        "ForgeKvsAPIError",
    }


def test_the_callers_have_the_functions_of_the_measured_version() -> None:
    user, app, context, default = evaluate(
        "Object.keys(api.asUser())",
        "Object.keys(api.asApp())",
        "Object.keys(api.asApp().withContext('x'))",
        "Object.keys(api).sort()",
        setup=API,
    )
    products = ["requestJira", "requestConfluence", "requestBitbucket"]
    gateway = ["requestGraph", "requestConnectedData", "requestAtlassian"]
    assert user == [*products, *gateway, "requestTeamworkGraph", "withProvider", "withContext"]
    assert app == [*products, *gateway, "withContext"]
    assert context == products
    assert default == sorted(
        ["fetch", *products, "asUser", "asApp", "invokeRemote", "invokeService"]
    )


@pytest.mark.parametrize(
    ("call", "identity"),
    [
        ("api.asUser().requestJira", {"provider": "user"}),
        ("api.asUser('someone').requestJira", {"provider": "user", "accountId": "someone"}),
        ("api.asApp().requestJira", {"provider": "app"}),
        ("api.asApp('ignored').requestJira", {"provider": "app"}),
        ("api.requestJira", {"provider": "none"}),
        ("packages.api.requestJira", {"provider": "none"}),
        ("api.asApp().withContext('ari:cloud:jira::site/mine').requestJira", {"provider": "app"}),
    ],
)
def test_who_a_call_is_for_stands_in_its_message(call: str, identity: dict[str, str]) -> None:
    calls = Calls()
    assert (
        api_value(f"{call}(route`/rest/api/3/issue/${{'A-1'}}`).then((one) => one.status)", calls)
        == 200
    )
    ((name, message),) = calls.seen
    assert name == "requestJira"
    assert message["path"] == "/rest/api/3/issue/A-1"
    assert {key: message[key] for key in ("provider", "accountId") if key in message} == identity


@pytest.mark.parametrize(
    ("status", "code", "thrown"),
    [
        (
            401,
            "NEEDS_AUTHENTICATION_ERR",
            {
                "name": "NEEDS_AUTHENTICATION_ERR",
                "message": "Authentication Required",
                "status": 401,
                "serviceKey": "atlassian-token-service-key",
                "kin": ["HttpError", "NeedsAuthenticationError"],
            },
        ),
        (
            401,
            "AUTH_TYPE_UNAVAILABLE",
            {
                "name": "PROXY_ERR",
                "message": "Forge platform failed to process runtime HTTP request"
                " - 401 - AUTH_TYPE_UNAVAILABLE",
                "status": 401,
                "errorCode": "AUTH_TYPE_UNAVAILABLE",
                "kin": ["HttpError", "ProxyRequestError"],
            },
        ),
    ],
)
def test_a_failure_on_the_way_is_thrown_as_the_platforms_error(
    status: int, code: str, thrown: dict[str, object]
) -> None:
    door = Calls({"status": status, "headers": [["forge-proxy-error", code]], "body": "{}"})
    assert api_value("told(() => api.asUser().requestJira(route`/x`))", door) == thrown


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_an_answer_of_the_product_is_never_thrown(status: int) -> None:
    door = Calls({"status": status, "headers": [], "body": "{}"})
    assert (
        api_value("told(async () => (await api.asApp().requestJira(route`/x`)).status)", door)
        == status
    )


ERRORS = [
    ("new packages.api.FetchError('m')", "FUNCTION_FETCH_ERR", "m", True, True),
    ("new packages.api.HttpError('m')", "Error", "m", False, False),
    ("new packages.api.NotAllowedError('m')", "REQUEST_EGRESS_ALLOWLIST_ERR", "m", True, True),
    (
        "new packages.api.ExternalEndpointNotAllowedError('u')",
        "REQUEST_EGRESS_ALLOWLIST_ERR",
        "URL not included in the external fetch backend permissions: u. "
        "Visit go.atlassian.com/forge-egress for more information.",
        True,
        True,
    ),
    (
        "new packages.api.RequestProductNotAllowedError('a', 'b')",
        "REQUEST_EGRESS_ALLOWLIST_ERR",
        "Request a is not allowed from b context.",
        True,
        True,
    ),
    (
        "new packages.api.ProxyRequestError(1, 'x')",
        "PROXY_ERR",
        "Forge platform failed to process runtime HTTP request - 1 - x",
        True,
        False,
    ),
    ("Object.assign(new Error('z'), { name: 'FUNCTION_ERR' })", "FUNCTION_ERR", "z", False, True),
    ("new TypeError('t')", "TypeError", "t", False, False),
]


@pytest.mark.parametrize(("make", "name", "message", "is_platform", "is_hosted"), ERRORS)
def test_errors_have_the_measured_names_messages_and_kinds(
    make: str, name: str, message: str, is_platform: bool, is_hosted: bool
) -> None:
    source = f"""((error) => [error.name, error.message, packages.api.isForgePlatformError(error),
      packages.api.isHostedCodeError(error), packages.api.isExpectedError(error)])({make})"""
    assert value_of(source) == [name, message, is_platform, is_hosted, False]


def test_only_a_marked_authentication_error_is_expected() -> None:
    make = "new packages.api.NeedsAuthenticationError('m', 'k', { isExpectedError: true })"
    assert value_of(f"packages.api.isExpectedError({make})") is True


@pytest.mark.parametrize(
    "call",
    [
        "packages.api.storage.get('k')",
        "packages.api.storage.query()",
        "packages.api.webTrigger.getUrl('k')",
        "packages.api.privacy.reportPersonalData([])",
        "packages.api.i18n.getTranslations('en')",
        "packages.api.invokeService('k', { path: '/p' })",
        "packages.api.permissions.canFetchFrom('backend', 'https://x.test')",
        "packages.api.authorize().onConfluenceContent('1').canRead()",
        "api.asUser().withProvider('google')",
        "api.asUser().requestTeamworkGraph('{x}')",
        "api.asApp().requestGraph('{x}')",
        "api.asApp().requestConfluence(route`/x`)",
        "api.asApp().requestAtlassian(route`/x`)",
        "api.asApp().requestConnectedData(route`/x`)",
        "packages.kvs.kvs.get('k')",
        "packages.kvs.default.query()",
        "packages.kvs.WhereConditions.beginsWith('a')",
        "new packages.kvs.Filter()",
        "new packages.events.Queue({ key: 'q' }).push({ body: {} })",
        "new packages.events.Queue({ key: 'q' }).getJob('j').getStats()",
        "packages.events.appEvents.publish({ key: 'k' })",
    ],
)
def test_what_is_not_emulated_says_so_when_it_is_called(call: str) -> None:
    calls = Calls()
    thrown = value_of(call, setup=API, door=calls, extra={"runtime": RUNTIME})
    assert isinstance(thrown, dict), thrown
    assert thrown["code"] == "NOT_EMULATED"
    assert str(thrown["message"]).startswith("Not emulated yet: ")
    assert calls.seen == []


def test_remotes_need_a_path_before_anything_else() -> None:
    thrown = value_of("packages.api.invokeRemote('k', {})")
    assert isinstance(thrown, dict)
    assert thrown["message"] == "Missing or empty path provided to invokeRemote"


def test_the_app_context_names_everything_by_ari() -> None:
    app, environment, installation, left = evaluate(
        "JSON.parse(JSON.stringify(packages.api.getAppContext()))",
        "String(packages.api.getAppContext().environmentAri)",
        "packages.api.getAppContext().installationAri.installationId",
        "packages.api.getAppContext().invocationRemainingTimeInMillis() > 0",
        extra={"runtime": RUNTIME},
    )
    assert isinstance(app, dict)
    assert app["appAri"] == f"ari:cloud:ecosystem::app/{UUID}"
    assert (app["moduleKey"], app["permissions"]["scopes"]) == ("panel", ["read:jira-work"])
    assert environment == f"ari:cloud:ecosystem::environment/{UUID}/{UUID}"
    assert (installation, left) == (UUID, True)


def test_permissions_tell_granted_scopes_and_report_the_missing() -> None:
    has, granted, lacking, unknown = evaluate(
        "['read:jira-work', 'x'].map(packages.api.permissions.hasScope)",
        "packages.api.permissions.hasPermission({ scopes: ['read:jira-work'] })",
        "packages.api.permissions.hasPermission({ scopes: ['read:jira-work', 'z', 'y'] })",
        "packages.api.permissions.hasPermission({ foo: 1, bar: 2 })",
        extra={"runtime": RUNTIME},
    )
    assert has == [True, False]
    assert granted == {"granted": True}
    assert lacking == {"granted": False, "missing": {"scopes": ["z", "y"]}}
    assert isinstance(unknown, dict)
    assert str(unknown["message"]).startswith("Invalid permission key(s): foo, bar. ")


CHECKED = {
    "status": 200,
    "headers": [],
    "body": '{"projectPermissions":[{"permission":"EDIT_ISSUES","issues":[1,2]}]}',
}


@pytest.mark.parametrize(
    ("call", "granted"),
    [
        ("onJiraIssue([2, '1']).canEdit()", True),
        ("onJiraIssue(1).canEdit()", False),
        ("onJiraIssue([1, 2, 3]).canEdit()", False),
        ("onJiraIssue([1, 2]).canDelete()", False),
        ("onJiraProject(5).canEditIssues()", False),
    ],
)
def test_authorize_grants_what_the_answer_lists_for_exactly_these_ids(
    call: str, granted: bool
) -> None:
    calls = Calls(CHECKED)
    assert api_value(f"packages.api.authorize().{call}", calls) is granted
    ((_, message),) = calls.seen
    assert (message["path"], message["provider"]) == ("/rest/api/3/permissions/check", "user")
    assert '"accountId":"the-user"' in str(message["body"])


def test_authorize_needs_an_invoking_user() -> None:
    thrown = value_of("packages.api.authorize()")
    assert isinstance(thrown, dict)
    assert "accountId of the invoking user" in str(thrown["message"])


@pytest.mark.parametrize(
    ("options", "retry"),
    [
        ("", {"retryAfter": 1, "retryReason": "FUNCTION_RETRY_REQUEST"}),
        ("{ retryAfter: -1 }", {"retryAfter": 1}),
        ("{ retryAfter: 900, retryData: { x: 1 } }", {"retryAfter": 900, "retryData": {"x": 1}}),
    ],
)
def test_an_invocation_error_is_a_marked_plain_object(
    options: str, retry: dict[str, object]
) -> None:
    shown, plain = evaluate(
        f"new packages.events.InvocationError({options})",
        f"Object.getPrototypeOf(new packages.api.InvocationError({options})) === Object.prototype",
    )
    assert (shown, plain) == ({"_retry": True, "retryOptions": retry}, True)


def test_a_queue_checks_its_name() -> None:
    thrown = value_of("new packages.events.Queue({ key: 'a b' })")
    assert isinstance(thrown, dict)
    assert str(thrown["message"]).startswith("Queue names can only contain")
