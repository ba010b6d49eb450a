import type { Policy } from "../../../core/account/policy.ts";
import type { PolicyRequest } from "../../../core/account/roll-out.ts";
import { DAY_MS } from "../../../units.ts";
import type { Answer, ApiClient } from "../../support/client.ts";
import { logInByKey } from "../../support/keys.ts";
import type { Person } from "../../support/people.ts";
import type { Stack } from "../../support/stack.ts";
import { freshSession, gatewayWith, giveDevices, staleSession } from "./people.ts";

export const POLICY = "/v1/account/multi-factor-policy";

type Requirement = PolicyRequest["requirement"];

/** An account with three users, one without a device, and the ways to change its policy. */
export async function policyAccount(stack: Stack) {
  const { api, clock, deps } = stack;
  const admin = await stack.createUser({ role: "administrator" });
  const { accountId, id: adminId } = admin;
  const member = await stack.createUser({ accountId });
  const colleague = await stack.createUser({ accountId });
  // A key fits every requirement.
  const withKey = async (user: Person) => {
    const { key } = await giveDevices(stack, user, ["webauthn"], "webauthn");
    return () => logInByKey(stack, user, key);
  };
  const logIn = await withKey(admin);
  const logInColleague = await withKey(colleague);
  const stale = await staleSession(stack, logIn);
  const { token } = freshSession(stack, logIn);

  const inDays = (days: number) => new Date(clock.now() + days * DAY_MS).toISOString();
  const put = async (body: PolicyRequest, client: ApiClient) =>
    client.call<Policy>("PUT", POLICY, { token: await token(), body });
  let written: Pick<Policy, "requirement" | "enforceAfter">;
  const change = async (requirement: Requirement, days = 0, client: ApiClient = api) => {
    const enforceAfter = days > 0 ? inDays(days) : null;
    (await put({ requirement, enforceAfter }, client)).body;
    written = { requirement, enforceAfter };
  };
  /** Makes a further version, after those that the walk is about. */
  const changeAgain = (requirement: Requirement, client?: ApiClient) =>
    change(requirement, requirement === "required" ? 100 : 0, client);

  return {
    ...{ accountId, adminId, stale, token, change, changeAgain, logInColleague },
    /** The policy that was written last. */
    written: () => written,
    setUpMember: () => withKey(member),
    /** Changes the policy at a gateway that has read an old state of the earlier roll-out. */
    overtake: (requirement: Requirement) =>
      changeAgain(
        requirement,
        gatewayWith(stack, { policyRollout: async () => ({ state: "persisting", next: [] }) }),
      ),
    /**
     * Changes the policy at a gateway that has read it and then waits until the test lets it go on.
     */
    async changeSlowly(requirement: Requirement, days: number) {
      let goOn = () => {};
      const released = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      let answer: Promise<Answer<Policy>> | undefined;
      await new Promise<void>((reached) => {
        const slow = gatewayWith(stack, {
          async startPolicyRollout(args) {
            reached();
            await released;
            return deps.flows.startPolicyRollout(args);
          },
        });
        answer = put({ requirement, enforceAfter: days > 0 ? inDays(days) : null }, slow);
      });
      return () => {
        goOn();
        return answer as Promise<Answer<Policy>>;
      };
    },
  };
}
