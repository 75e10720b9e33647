// Package e2e runs the built server as its users would: real publishers, real
// players, a real browser, real kills. It has tests only; those that take
// longer than a test run may are behind the build tag soak.
//
// Subtests are not parallel: while they wait for their turn, the servers of
// their tests would go on encoding beside other tests.
package e2e
