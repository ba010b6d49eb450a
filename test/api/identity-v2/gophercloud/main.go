// Logs in at an Identity 2.0 endpoint by the released gophercloud, reading a passcode from standard
// input where it is challenged, and prints what it then sees as one line of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
)

var challenge = regexp.MustCompile(`^OS-MF sessionId='([^']+)', factor='(\w+)'$`)

// passcode is the second step's credentials, which gophercloud has no type for.
type passcode string

func (p passcode) ToTokenV2CreateMap() (map[string]any, error) {
	credentials := map[string]any{"passcode": string(p)}
	return map[string]any{"auth": map[string]any{"RAX-AUTH:passcodeCredentials": credentials}}, nil
}

func (p passcode) CanReauth() bool { return false }

func main() {
	seen, err := run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(seen)
}

func run(ctx context.Context) (map[string]any, error) {
	endpoint := os.Getenv("ENDPOINT")
	provider, err := openstack.NewClient(endpoint)
	if err != nil {
		return nil, err
	}
	identity, err := openstack.NewIdentityV2(provider, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, err
	}
	err = openstack.Authenticate(ctx, provider, gophercloud.AuthOptions{
		IdentityEndpoint: endpoint,
		Username:         os.Getenv("USERNAME"),
		Password:         os.Getenv("PASSWORD"),
		TenantID:         os.Getenv("TENANT"),
	})
	var refused gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &refused) && refused.Actual == http.StatusUnauthorized {
		err = secondStep(ctx, provider, identity, refused)
	}
	if err != nil {
		return nil, err
	}
	return look(ctx, provider, identity)
}

func secondStep(ctx context.Context, provider *gophercloud.ProviderClient, identity *gophercloud.ServiceClient, refused gophercloud.ErrUnexpectedResponseCode) error {
	found := challenge.FindStringSubmatch(refused.ResponseHeader.Get("WWW-Authenticate"))
	if found == nil {
		return refused
	}
	fmt.Println(found[2])
	typed, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return err
	}
	identity.MoreHeaders = map[string]string{"X-SessionId": found[1]}
	defer func() { identity.MoreHeaders = nil }()
	return provider.SetTokenAndAuthResult(tokens.Create(ctx, identity, passcode(strings.TrimSpace(typed))))
}

// look validates the token, calls with it, revokes it and finds it gone.
func look(ctx context.Context, provider *gophercloud.ProviderClient, identity *gophercloud.ServiceClient) (map[string]any, error) {
	got := tokens.Get(ctx, identity, provider.Token())
	token, err := got.ExtractToken()
	if err != nil {
		return nil, err
	}
	user, err := got.ExtractUser()
	if err != nil {
		return nil, err
	}
	var phones struct {
		List []map[string]any `json:"RAX-AUTH:mobilePhones"`
	}
	path := identity.ServiceURL("users", user.ID, "RAX-AUTH", "multi-factor", "mobile-phones")
	if _, err := identity.Get(ctx, path, &phones, nil); err != nil {
		return nil, err
	}
	if _, err := identity.Delete(ctx, identity.ServiceURL("tokens", token.ID), nil); err != nil {
		return nil, err
	}
	gone := tokens.Get(ctx, identity, token.ID).Err
	return map[string]any{
		"token":     token.ID,
		"expiresAt": token.ExpiresAt,
		"tenant":    token.Tenant.ID,
		"user":      user,
		"phones":    phones.List,
		"revoked":   gophercloud.ResponseCodeIs(gone, http.StatusUnauthorized),
	}, nil
}
