import { setTimeout as sleep } from "node:timers/promises";
import type { OtpSetup } from "../../core/devices/otp.ts";
import type { Answer } from "../support/client.ts";
import { craftedKey } from "../support/crafted-keys.ts";
import { keyCalls } from "../support/keys.ts";
import { newPhone } from "../support/phones.ts";
import { wrongCode } from "../support/scenarios.ts";
import type { App, FaultyPerson } from "./person.ts";

export type Phone = ReturnType<typeof newPhone> & { id: string };

/** Pairs a phone: types a wrong PIN, then the right one, which ends the session. */
export async function pairPhone(person: FaultyPerson): Promise<Phone> {
  const { api, expectStatus, repeated } = person;
  const token = await person.logInByPassword();
  const phone = newPhone();
  for (;;) {
    const registered = expectStatus(await api.registerPhone(token, phone), 201, 409, 429);
    if (registered.status === 201) break;
    if (!repeated()) throw new Error(registered.text);
    if (registered.status === 409) break;
    // A gateway that died did not return the message to the budget, so wait for the budget.
    await sleep(Number(registered.headers.get("retry-after")) * 1000);
  }
  const { devices } = expectStatus(await api.multiFactor(token), 200).body;
  const [device] = devices;
  if (!device || devices.length > 1) throw new Error(`${devices.length} phones, not one`);

  let pin = await person.pin(token, device.id, phone.e164);
  const wrong = await api.verifyDevice(token, device.id, wrongCode(pin));
  expectStatus(wrong, 422, 410, 409);
  for (;;) {
    const right = await api.verifyDevice(token, device.id, pin);
    if (isVerified(person, right, token, device.id)) return { ...phone, id: device.id };
    pin = await person.pin(token, device.id, phone.e164);
  }
}

/** Pairs an app with the code of the previous TOTP step. */
export async function pairApp(person: FaultyPerson, token: string): Promise<App> {
  const { api, expectStatus } = person;
  const body = { name: "App" };
  const setup = await api.call<OtpSetup>("POST", "/v1/me/devices/otp", { token, body });
  const { device, secret } = expectStatus(setup, 201).body;
  const app = { id: device.id, secret, usedStep: 0 };
  for (;;) {
    const verified = await api.verifyDevice(token, app.id, await person.appCode(app));
    if (isVerified(person, verified, token, app.id)) return app;
  }
}

export type PairedKey = { id: string; key: ReturnType<typeof craftedKey> };

/** Registers a security key; asks for new options if an answer was lost. */
export async function pairKey(person: FaultyPerson, token: string): Promise<PairedKey> {
  const { api, expectStatus } = person;
  const calls = keyCalls(api);
  const key = craftedKey();
  let { device, options } = expectStatus(await calls.register(token), 201).body;
  const paired = { id: device.id, key };
  for (;;) {
    const verified = await calls.verify(token, device.id, key.create(options));
    if (isVerified(person, verified, token, device.id)) return paired;
    const again = expectStatus(await calls.restart(token, device.id), 200, 401, 409);
    if (again.status === 200) ({ device, options } = again.body);
    else if (isVerified(person, again, token, device.id)) return paired;
  }
}

/** Whether the device was verified. After a lost answer, the ended session says that it was. */
function isVerified(
  { expectStatus, ledger, repeated }: FaultyPerson,
  answer: Answer<unknown>,
  token: string,
  deviceId: string,
): boolean {
  const { status } = expectStatus(answer, 200, 401, 409, 410, 422);
  if (status === 401 || status === 409) {
    const { code, reason } = answer.problem;
    const before = reason === "device_verified" || code === "device_verified_already";
    // A new PIN is being sent, which cancelled this one. Or the first try took the options.
    if (code === "illegal_transition" || code === "webauthn_options_used") return false;
    if (!before || !repeated()) throw new Error(answer.text);
  }
  if (status === 410 || status === 422) return false;
  ledger.verified.add(deviceId);
  ledger.ended.add(token);
  return true;
}
