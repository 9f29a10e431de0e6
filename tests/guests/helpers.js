// What the expressions of the expectation files use; read by Node and by the guest alike.
const parts = (input, base) => {
  try {
    const url = new URL(input, base);
    return [
      url.href,
      url.origin,
      url.username,
      url.password,
      url.host,
      url.pathname,
      url.search,
      url.hash,
    ];
  } catch (error) {
    return error.code;
  }
};
const changed = (href, name, value) => {
  const url = new URL(href);
  try {
    url[name] = value;
  } catch (error) {
    return error.code;
  }
  return [url.href, url.searchParams.toString()];
};
const thrown = (act) => {
  try {
    act();
  } catch (error) {
    return `${error.name} ${error.code} ${error.message}`;
  }
  return "nothing thrown";
};
const rejected = async (act) => {
  try {
    await act();
  } catch (error) {
    return error.name;
  }
  return "nothing thrown";
};
const points = (text) => Array.from(text, (one) => one.codePointAt(0));
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
