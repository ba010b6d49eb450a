import type { Deps } from "../api/deps.ts";
import { answerError } from "../api/errors.ts";
import { Problem, type problemBody } from "../api/problem.ts";
import type { PortalContext } from "./form.ts";
import { page } from "./layout.tsx";
import { wordsOf } from "./words.ts";

/** Answers what no page has taken care of: leads to the login where that is missing, else says it. */
export async function refuse(error: Error, c: PortalContext, deps: Deps) {
  const code = error instanceof Problem ? error.code : undefined;
  const to = encodeURIComponent(c.req.method === "GET" ? c.req.path : "/");
  switch (code) {
    case "unauthenticated":
    case "session_expired":
    case "session_revoked":
      return c.redirect(`/login?to=${to}`, 303);
    case "reauthentication_required":
      return c.redirect(`/login?again&to=${to}`, 303);
    case "setup_only":
      return c.redirect("/set-up", 303);
  }
  const answer = answerError(error, c, deps.log);
  const problem = (await answer.json()) as ReturnType<typeof problemBody>;
  const retryAfter = answer.headers.get("retry-after");
  if (retryAfter) c.header("retry-after", retryAfter);
  return page(
    c,
    { title: problem.title, narrow: true, status: problem.status },
    <>
      <h1>{problem.title}</h1>
      <p role="alert">{error instanceof Problem ? wordsOf(error) : problem.detail}</p>
      <p>
        <a href="/">Go to the start page</a>
      </p>
    </>,
  );
}
