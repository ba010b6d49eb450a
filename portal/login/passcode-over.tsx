import type { Challenge } from "../../core/login/challenge-view.ts";
import { accountLocked, challengeSpent } from "../../core/login/challenges.ts";
import { withSupport } from "../../core/support/support-contact.ts";
import type { PortalContext } from "../layout/form.ts";
import { cardPage } from "../layout/layout.tsx";
import { Linked } from "../layout/parts.tsx";

/** The page of a challenge that was answered in another tab or browser. */
export function answeredPage(c: PortalContext, to: string) {
  const title = "This login was completed in another tab";
  return cardPage(
    c,
    { title },
    <>
      <p>Continue there, or log in here as well.</p>
      <a class="button" href={to}>
        Continue
      </a>
    </>,
  );
}

/** The page of a challenge that takes no more passcodes. */
export function overPage(c: PortalContext, { state, problem }: Challenge) {
  const locked = state === "locked";
  const contact = c.get("support");
  const ended =
    problem === "too_many_requests"
      ? challengeSpent().message
      : "It took too long, or your devices changed. Log in again.";
  const title = locked ? "Your account is locked" : "This login expired";
  return cardPage(
    c,
    { title, status: locked ? 423 : 410 },
    <>
      <p role="alert">
        {locked ? (
          <Linked text={withSupport(accountLocked(), contact).message} contact={contact} />
        ) : (
          ended
        )}
      </p>
      <a class="button" href="/login">
        Log in
      </a>
    </>,
  );
}
