import { loginChallengeMachine } from "../machines/login-challenge.ts";
import { delivering, durable } from "./activities.ts";
import { delivery } from "./delivery-outcome.ts";
import { host } from "./host.ts";
import type { LoginChallengeArgs } from "./messages.ts";
import type { ChallengeView } from "./view-types.ts";
import { challengeView } from "./views.ts";

/** The second step of one login, from the right password to a session, the lock or the deadline. */
export async function loginChallenge(args: LoginChallengeArgs): Promise<ChallengeView> {
  const { userId, accountId, challengeId } = args;
  const owner = { userId, accountId, challengeId };
  return host(loginChallengeMachine, args, {
    name: "loginChallenge",
    view: challengeView,
    effects: {
      sendPasscode: ({ context: { sendings: sending } }) =>
        delivery("PASSCODE_SENT", delivering.sendPasscode({ ...owner, sending })),
      recordExpiry: () => durable.recordExpiry(owner),
      lockUser: ({ context: { origin } }) => durable.lockUser({ ...owner, origin }),
    },
  });
}
