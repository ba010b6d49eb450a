import { describe, expect, test } from "vitest";
import { newPhone } from "../support/phones.ts";
import { logInByPassword, wrongCode } from "../support/scenarios.ts";
import {
  expectAccessible,
  follow,
  heading,
  logIn,
  openAccount,
  press,
  secretOf,
  usePortal,
} from "./browser.ts";
import { supportDesk, withApp } from "./people.ts";

const portal = usePortal();

/** An account with an administrator and a member, neither with a device. */
async function newAccount() {
  const admin = await portal.createUser({ role: "administrator" });
  return { admin, member: await portal.createUser({ accountId: admin.accountId }) };
}

describe("the account's requirement", () => {
  test("ends the sessions in two browsers, and each user sets up at the next login", async () => {
    const { admin, member } = await newAccount();
    const [his, hers] = [await portal.open(), await portal.open()];
    await logIn(his, admin);
    await logIn(hers, member);
    await openAccount(his);
    expect(await his.getByText("0 of 2 users are set up").first().isVisible()).toBe(true);
    await expectAccessible(his);
    await follow(his, /^Edit/);
    expect(await his.getByText("You have no verified device").isVisible()).toBe(true);
    expect(await his.getByLabel("Grace period in days").inputValue()).toBe("14");
    await expectAccessible(his);
    await his.getByLabel("Required for everyone").check();
    await his.getByLabel("Grace period in days").fill("0");
    await press(his, "Save Setting");
    // Nothing changes before the question is answered. It shows the number of people.
    expect(await heading(his)).toBe("Require it now?");
    const question = his.getByText(
      "log out everyone who did not log in with a second factor, including you. 2 of 2 people have none",
    );
    expect(await question.isVisible()).toBe(true);
    await expectAccessible(his);
    await hers.reload();
    expect(await heading(hers)).toBe("My Multi-Factor Devices");
    await press(his, "Require it now");
    for (const page of [his, hers]) {
      await page.goto("/devices");
      expect(await page.getByRole("status").textContent()).toContain(
        "Multi-factor authentication is now required",
      );
    }

    await logIn(hers, member);
    expect(await heading(hers)).toBe("Multi-factor authentication is required");
    await expectAccessible(hers);
    await hers.goto("/sessions");
    expect(await heading(hers)).toBe("Multi-factor authentication is required");
    await hers.reload();
    await follow(hers, "Set Up Multi-Factor Authentication");
    await expectAccessible(hers);
    await hers.goBack();
    expect(await heading(hers)).toBe("Multi-factor authentication is required");
    await follow(hers, "Set Up Multi-Factor Authentication");
    await hers.reload();
    await follow(hers, "Add an OTP device");
    await hers.getByLabel("Device nickname").fill("Hers");
    await press(hers, "Add Device");
    // Set-up can be left and continued.
    await press(hers, "Log out");
    await logIn(hers, member);
    await follow(hers, "Set Up Multi-Factor Authentication");
    await follow(hers, "Manage Hers");
    await follow(hers, "Verify");
    await press(hers, "Create a new QR code");
    const secret = await secretOf(hers);
    await hers.getByLabel("Code", { exact: true }).fill(await portal.codeOf(secret));
    await press(hers, "Verify Mobile Passcode");
    expect(await hers.getByRole("status").textContent()).toContain("Device verified");
    await portal.advance(30_000);
    await logIn(hers, member);
    await hers.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(hers, "Verify Code");
    // The page that she wanted before the set-up.
    expect(await heading(hers)).toBe("Sessions");
    await hers.goto("/devices");
    expect(await hers.getByText("Your account requires a second factor").isVisible()).toBe(true);
  });

  test("a requirement after a grace period is shown at the login, which continues", async () => {
    const { admin, member } = await newAccount();
    const [his, hers] = [await portal.open(), await portal.open()];
    await logIn(his, admin);
    await his.goto("/account/requirement");
    await his.getByLabel("Required for everyone").check();
    await his.getByLabel("Grace period in days").fill("soon");
    await press(his, "Save Setting");
    expect(await his.locator("#enforceAfter-error").textContent()).toContain("0 to 365");
    expect(await his.getByLabel("Grace period in days").inputValue()).toBe("soon");
    await his.getByLabel("Grace period in days").fill("14");
    await press(his, "Save Setting");
    expect(await his.getByRole("status").first().textContent()).toBe("The setting was saved.");
    expect(await his.getByText("Grace period", { exact: true }).isVisible()).toBe(true);
    await follow(his, /^Edit/);
    expect(await his.getByLabel("Grace period in days").inputValue()).toBe("14");
    await expectAccessible(his);
    await logIn(hers, member);
    expect(await heading(hers)).toBe("Multi-factor authentication will be required");
    await expectAccessible(hers);
    await follow(hers, "Later");
    expect(await heading(hers)).toBe("My Multi-Factor Devices");
    await his.getByLabel("Optional").check();
    await press(his, "Save Setting");
    await hers.goto("/devices");
    expect(await hers.getByText("requires a second factor").count()).toBe(0);
  });
});

describe("the account's users", () => {
  test("are listed, added and made administrators, by administrators only", async () => {
    const { admin, member } = await newAccount();
    const page = await portal.open();
    await logIn(page, admin);
    await page.goto("/account/users");
    expect(await page.getByText(member.username).isVisible()).toBe(true);
    await expectAccessible(page);
    await follow(page, "Add a user");
    await expectAccessible(page);
    await page.getByLabel("User name").fill(member.username);
    await page.getByLabel("Password").fill("short");
    await press(page, "Add the user");
    expect(await page.locator("#password-error").textContent()).toContain("at least 8 characters");
    await page.getByLabel("Password").fill("a long enough one");
    await press(page, "Add the user");
    expect(await page.locator("#username-error").textContent()).toContain("user name is taken");
    const username = `${member.username}-2`;
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Password").fill("a long enough one");
    await press(page, "Add the user");
    expect(await page.getByRole("status").textContent()).toContain("The user was added");
    await follow(page, `Make an administrator: ${username}`);
    expect(await heading(page)).toBe(`Make ${username} an administrator?`);
    await expectAccessible(page);
    await press(page, `Make ${username} an administrator`);
    expect(await page.getByRole("status").textContent()).toContain("is now an administrator");
    const other = await portal.open();
    await logIn(other, { ...member, username, password: "a long enough one" });
    await openAccount(other);
    expect(await heading(other)).toBe("Account settings");

    const outsider = await portal.open();
    await logIn(outsider, member);
    for (const path of ["/account", "/account/users", "/account/users/new", "/support"]) {
      await outsider.goto(path);
      expect(await heading(outsider), path).toBe("You don't have access");
    }
  });
});

describe("Support", () => {
  test("finds a locked user, sees the flow on its chart, and unlocks with a reason", async () => {
    const { user, secret, page } = await withApp(portal);
    const code = await portal.codeOf(secret);
    await logIn(page, user);
    for (let n = 1; n <= 7; n++) {
      await page.getByLabel("Passcode").fill(wrongCode(code, n * 1000));
      await press(page, "Verify Code");
    }
    expect(await heading(page)).toBe("Your account is locked");

    const { desk } = await supportDesk(portal);
    await follow(desk, "Support");
    await expectAccessible(desk);
    await desk.getByLabel("Find a user").fill(user.username.slice(0, 20));
    await press(desk, "Search");
    await expectAccessible(desk);
    await follow(desk, user.username);
    expect(await desk.getByText("Locked", { exact: true }).isVisible()).toBe(true);
    await expectAccessible(desk);
    await desk.getByLabel("Reason to unlock").fill("x");
    await press(desk, "Unlock");
    expect(await desk.locator("#unlock-reason-error").textContent()).toContain("Enter a reason");
    await desk.getByLabel("Reason to unlock").fill("Called back on the number we have");
    await press(desk, "Unlock");
    expect(await desk.getByRole("status").textContent()).toContain("The user is unlocked");
    await desk.reload();
    expect(await desk.getByText("Locked", { exact: true }).count()).toBe(0);

    await logIn(page, user);
    await desk.reload();
    const lit = desk.locator(".chart [aria-current] strong");
    // The login that caused the lock has ended, so it is not shown as in progress.
    expect(await lit.allTextContents()).toEqual(["awaiting passcode"]);
    await expectAccessible(desk);
    await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(page, "Verify Code");
    await page.goto("/activity");
    expect(await page.getByText("Called back on the number we have").isVisible()).toBe(true);
  });

  test("resets a user who lost everything, but not themselves", async () => {
    const { user } = await withApp(portal);
    const { operator, desk } = await supportDesk(portal);
    await desk.goto(`/support/users/${user.id}`);
    await follow(desk, "Reset");
    expect(await heading(desk)).toBe(`Reset ${user.username}?`);
    await expectAccessible(desk);
    await desk.getByLabel("Reason to reset").fill("Lost the phone and the codes");
    await press(desk, "Reset multi-factor authentication");
    expect(await desk.getByRole("status").first().textContent()).toContain("was reset");
    const page = await portal.open();
    await logIn(page, user);
    expect(await heading(page)).toBe("My Multi-Factor Devices");

    await desk.goto(`/support/users/${operator.id}`);
    await follow(desk, "Reset");
    await desk.getByLabel("Reason to reset").fill("Just because");
    await press(desk, "Reset multi-factor authentication");
    expect(await desk.locator("#reset-reason-error").textContent()).toContain("Ask a colleague");
  });

  test("sees a phone's set-up on its chart", async () => {
    const user = await portal.createUser();
    const { token } = await logInByPassword(portal, user);
    const phone = newPhone();
    await portal.api.registerPhone(token, phone);
    await portal.pinTo(phone.e164);
    const { desk } = await supportDesk(portal);
    await desk.goto(`/support/users/${user.id}`);
    expect(await desk.getByText("SMS set-up in progress").isVisible()).toBe(true);
    const names = await desk.locator(".chart > li > strong").allTextContents();
    expect(names).toEqual(
      expect.arrayContaining([
        "sending pin",
        "awaiting pin",
        "pin expired",
        "pin void",
        "verified",
      ]),
    );
    expect(await desk.content()).not.toContain(phone.e164);
  });
});
