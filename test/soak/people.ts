import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { newId } from "../../store/ids.ts";
import { hashPassword } from "../../store/passwords.ts";
import { createAccount } from "../../store/postgres/accounts.ts";
import { createUser } from "../../store/postgres/users.ts";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import type { Installation } from "../faults/installation.ts";
import { codeAt } from "../support/apps.ts";
import { createClient, patient } from "../support/client.ts";
import { phones } from "../support/phones.ts";
import { enrollPhone, logInByPassword, startChallenge } from "../support/scenarios.ts";

const STEP_MS = 30_000;

/** Makes users of one account that enroll and log in as clients do. */
export async function population(installation: Installation) {
  const { db, redis, urls } = installation;
  const password = randomBytes(12).toString("base64url");
  const passwordHash = await hashPassword(password);
  const at = new Date();
  const account = await createAccount(db, { name: `account-${newId()}`, kind: "panel", at });
  if (account === "exists") throw new Error("A random account name was taken");
  const accountId = account.id;
  let made = 0;
  /** Requests that got a 503 and were sent again. */
  const unavailable: string[] = [];

  async function newUser() {
    const number = made++;
    const username = `user-${newId()}`;
    const user = { accountId, username, passwordHash, role: "member" as const, at };
    if ((await createUser(db, user)) === "exists") throw new Error("A random name was taken");
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    let turn = number;
    let late = false;
    const send = async (path: string, init: RequestInit) => {
      const headers = { ...(init.headers as Record<string, string>), "x-forwarded-for": address };
      const answer = await fetch(`${urls[turn++ % urls.length]}${path}`, { ...init, headers });
      if (answer.status === 503) {
        late = true;
        unavailable.push(`${init.method} ${path}: ${await answer.clone().text()}`);
      }
      return answer;
    };
    const api = createClient(patient(send));
    return { number, api, login: { username, password }, late: () => late };
  }

  return {
    made: () => made,
    unavailable,
    /** A new user pairs a phone, which logs them out. */
    async enrollPhone() {
      const { number, api, login, late } = await newUser();
      const stage = { api, ...phones((to) => keptMessages(redis, to)) };
      const phoneNumber = `512${2_000_000 + number}`;
      const phone = { countryCode: "US", phoneNumber, e164: `+1${phoneNumber}` };
      await enrollPhone(stage, login, phone).catch((error) => {
        if (!late()) throw error;
      });
    },
    /** A new user with an app. Returns their login, which works at most once in 30 seconds. */
    async userWithApp() {
      const { api, login, late } = await newUser();
      const { token } = await logInByPassword({ api }, login);
      const call = { token, body: { name: "App" } };
      const setup = await api.call<OtpSetup>("POST", "/v1/me/devices/otp", call);
      const { device, secret } = setup.body;
      let used = 0;
      const nextCode = async () => {
        const next = Math.max(used + 1, Math.floor(Date.now() / STEP_MS));
        // The service also accepts the code of the next step.
        await sleep(Math.max(0, (next - 1) * STEP_MS - Date.now()));
        used = next;
        return codeAt(secret, next * STEP_MS);
      };
      const verified = await api.verifyDevice(token, device.id, await nextCode());
      // A retry after a 503 may be refused, because the first try took effect.
      if (verified.status >= 400 && !late()) throw new Error(verified.text);
      return async () => {
        const { id } = await startChallenge({ api }, login);
        const verified = await api.verifyPasscode(id, await nextCode());
        if (late() && verified.status >= 400) return;
        const { session } = verified.body;
        await api.session(session.token);
        await api.logOut(session.token);
      };
    },
  };
}
