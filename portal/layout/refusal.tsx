import { routePath } from "hono/route";
import { problemOf } from "../../api/http/problems.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { PROBLEMS, type Problem } from "../../core/problem.ts";
import { withSupport } from "../../core/support/support-contact.ts";
import { again, isTyped, leaveFaults, remember, typedIn } from "./flash.ts";
import { ownPath, type PortalContext } from "./form.ts";
import { page } from "./layout.tsx";
import { Linked } from "./parts.tsx";
import { faultsOf, wordsOf } from "./words.ts";

/**
 * Answers an error that a handler threw. Without a session it redirects to the login, and from a
 * refused form back to the form's page. Any other error gets its own page.
 */
export async function refuse(error: Error, c: PortalContext, deps: CoreDeps) {
  const problem = withSupport(
    problemOf(error, routePath(c), deps.log),
    deps.config.SUPPORT_CONTACT,
  );
  const form = c.get("formPage");
  const to = form?.at ?? ownPath(placeOf(c));
  switch (problem.code) {
    case "unauthenticated":
    case "session_expired":
    case "session_revoked":
      // A device that was verified in another tab no longer needs this form.
      if (form && problem.extra.members?.reason !== "device_verified") remember(c, to, typedIn(c));
      return c.redirect(`/login?to=${encodeURIComponent(to)}`, 303);
    case "reauthentication_required":
      if (form) remember(c, to, typedIn(c));
      return c.redirect(`/login?again&to=${encodeURIComponent(to)}`, 303);
    case "setup_only":
      // To continue here after the set-up, unless the login has already set where to go.
      if (!c.get("goal")) remember(c, to);
      return c.redirect("/set-up", 303);
    case "enrollment_ended":
      // The form's page is gone with the set-up.
      return form ? again(c, "/devices", faultsOf(problem)) : refusalPage(c, problem);
    case "device_verified_already":
      return form ? again(c, "/devices", faultsOf(problem)) : c.redirect("/devices", 303);
  }
  if (!form) return refusalPage(c, problem);
  const { about, unsure } = form;
  if (problem.status < 500) {
    const field = typeof about === "object" ? about[problem.code] : about;
    return again(c, form.at, faultsOf(problem, field));
  }
  // The form's page may be unavailable too. So this page links to it, for when it is back.
  const words = [wordsOf(problem), unsure].filter(Boolean).join(" ");
  const faults = { status: problem.status, fields: {}, whole: words };
  const isKept = leaveFaults(c, form.at, faults) && isTyped(typedIn(c));
  return refusalPage(c, problem, { words, form: form.at, isKept });
}

/** The page that was requested, with its query. */
function placeOf(c: PortalContext): string {
  if (c.req.method !== "GET") return "/";
  return c.req.path + new URL(c.req.url).search;
}

/** A page that says what was refused, and links to what to do next, such as the form. */
function refusalPage(
  c: PortalContext,
  problem: Problem,
  {
    words = wordsOf(problem),
    form,
    isKept,
  }: { words?: string; form?: string; isKept?: boolean } = {},
) {
  const { title } = PROBLEMS[problem.code];
  const { retryAfterS } = problem.extra;
  if (retryAfterS !== undefined) c.header("retry-after", String(Math.max(1, retryAfterS)));
  const here = c.req.method === "GET" && problem.status >= 500 ? ownPath(placeOf(c)) : undefined;
  return page(
    c,
    { title, narrow: true, status: problem.status },
    <>
      <h1>{title}</h1>
      <p role="alert">
        <Linked text={words} contact={c.get("support")} />
      </p>
      {isKept && <p>We kept what you typed, but no passwords or codes.</p>}
      <div class="actions">
        {form && (
          <a class="button" href={form}>
            Go back and try again
          </a>
        )}
        {here && (
          <a class="button" href={here}>
            Try again
          </a>
        )}
        {problem.code === "challenge_not_found" ? (
          <a class="button" href="/login">
            Log in
          </a>
        ) : (
          <a href="/">Go to the start page</a>
        )}
      </div>
    </>,
  );
}
