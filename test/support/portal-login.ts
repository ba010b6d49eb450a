/** A browser that keeps cookies, on https and on http. */
const COOKIES = "__Host-trial=kept; trial=kept";

/** The page's words for each refusal, with the status that `/v1` answers. */
const REFUSALS = [
  [/The user name or password is wrong\./, 401],
  [/Too many wrong passwords|logins are under way/, 429],
] as const;

/**
 * Sends the portal's login form. Answers 303 if the login works, or the status that `/v1` gives
 * this refusal. Throws if the page shows none of the known refusals.
 */
export async function portalLogin(
  app: { request(url: string, init?: RequestInit): Response | Promise<Response> },
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await app.request("https://mfa.example/login", {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      // The cookies that a browser holds after it loaded the form.
      cookie: COOKIES,
      ...headers,
    },
    body: new URLSearchParams(fields).toString(),
  });
  const location = answer.headers.get("location") ?? "";
  const cookies = answer.headers.getSetCookie();
  const opened = cookies.some((one) => /session=[^;]/.test(one)) || /^\/login\/\w/.test(location);
  if (answer.status !== 303 || opened) return answer.status;
  // The next page says why, once.
  const flash = cookies.find((one) => one.includes("flash="))?.split(";")[0] ?? "";
  const page = await app.request(`https://mfa.example${location}`, { headers: { cookie: flash } });
  const text = await page.text();
  const found = REFUSALS.filter(([words]) => words.test(text));
  if (found.length !== 1) throw new Error(`${location} tells no refusal that is known: ${text}`);
  return found[0]?.[1] as number;
}
