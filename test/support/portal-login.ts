/** A browser that keeps cookies, on https and on http. */
const COOKIES = "__Host-trial=kept; trial=kept";

/** The refusals in words, with their status of `/v1`. */
const REFUSALS = [
  [/The user name or password is wrong\./, 401],
  [/Too many wrong passwords|logins are under way/, 429],
] as const;

/**
 * What the portal's login form is answered: 303 where it opens something, or the refusal's status of
 * `/v1`. Throws where the page that it leads to says none of these refusals.
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
      // As the form's page leaves it.
      cookie: COOKIES,
      ...headers,
    },
    body: new URLSearchParams(fields).toString(),
  });
  const location = answer.headers.get("location") ?? "";
  const cookies = answer.headers.getSetCookie();
  const opened = cookies.some((one) => /session=[^;]/.test(one)) || /^\/login\/\w/.test(location);
  if (answer.status !== 303 || opened) return answer.status;
  // The page that it leads back to says why, once.
  const flash = cookies.find((one) => one.includes("flash="))?.split(";")[0] ?? "";
  const page = await app.request(`https://mfa.example${location}`, { headers: { cookie: flash } });
  const text = await page.text();
  const told = REFUSALS.filter(([words]) => words.test(text));
  if (told.length !== 1) throw new Error(`${location} tells no refusal that is known: ${text}`);
  return told[0]?.[1] as number;
}
