#include "broker/registry.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

typedef struct fixture {
    roles_t roles;
    registry_t registry;
    peer_t *a;
    peer_t *b;
} fixture_t;

static peer_t *add_peer(fixture_t *self, uint64_t routing, const char *instance)
{
    peer_t *peer = registry_add_peer(&self->registry, routing, roles_use(&self->roles, NULL));
    snprintf(peer->instance, sizeof(peer->instance), "%s", instance);
    return peer;
}

static void offer(fixture_t *self, peer_t *peer, const char *service)
{
    char *names[] = {(char *)service};
    registry_offer(&self->registry, peer, names, 1);
}

static int set_up(void **state)
{
    fixture_t *self = calloc(1, sizeof(*self));
    roles_init(&self->roles, 1);
    registry_init(&self->registry, 1);
    self->a = add_peer(self, 1, "a");
    self->b = add_peer(self, 2, "b");
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *self = *state;
    registry_done(&self->registry);
    roles_done(&self->roles);
    free(self);
    return 0;
}

static service_t *find(fixture_t *self, const char *name)
{
    return registry_find_service(&self->registry, name, strlen(name));
}

static void the_worker_with_the_least_work_is_picked(void **state)
{
    fixture_t *self = *state;
    offer(self, self->a, "echo");
    offer(self, self->b, "echo");
    self->a->work_count = 2;
    self->b->work_count = 1;
    assert_ptr_equal(service_pick(find(self, "echo"), NULL, 10), self->b);
    self->b->work_count = 3;
    assert_ptr_equal(service_pick(find(self, "echo"), NULL, 10), self->a);
    self->a->work_count = self->b->work_count = 0;
}

static void equals_take_turns(void **state)
{
    fixture_t *self = *state;
    offer(self, self->a, "echo");
    offer(self, self->b, "echo");
    const peer_t *first = service_pick(find(self, "echo"), NULL, 10);
    const peer_t *second = service_pick(find(self, "echo"), NULL, 10);
    assert_ptr_not_equal(first, second);
}

static void a_worker_at_its_limit_is_not_picked(void **state)
{
    fixture_t *self = *state;
    offer(self, self->a, "echo");
    self->a->work_count = 10;
    assert_null(service_pick(find(self, "echo"), NULL, 10));
    self->a->work_count = 0;
    self->a->is_full = true;
    assert_null(service_pick(find(self, "echo"), NULL, 10));
}

static void an_instance_is_picked_by_name(void **state)
{
    fixture_t *self = *state;
    offer(self, self->a, "echo");
    offer(self, self->b, "echo");
    assert_ptr_equal(service_pick(find(self, "echo"), "b", 10), self->b);
    assert_ptr_equal(service_pick(find(self, "echo"), "b", 10), self->b);
    assert_null(service_pick(find(self, "echo"), "c", 10));
    assert_true(service_has(find(self, "echo"), "a"));
    assert_false(service_has(find(self, "echo"), "c"));
}

static void a_new_offer_replaces_the_old(void **state)
{
    fixture_t *self = *state;
    offer(self, self->a, "echo");
    offer(self, self->a, "other");
    assert_null(find(self, "echo"));
    assert_int_equal(find(self, "other")->worker_count, 1);
}

static void a_service_that_is_waited_for_is_kept(void **state)
{
    fixture_t *self = *state;
    service_t *service = registry_service(&self->registry, "echo", 4);
    service->live_count = 1;
    offer(self, self->a, "echo");
    registry_offer(&self->registry, self->a, NULL, 0);
    assert_ptr_equal(find(self, "echo"), service);
}

static void a_peer_that_goes_takes_its_offers_with_it(void **state)
{
    fixture_t *self = *state;
    offer(self, self->a, "echo");
    registry_remove_peer(&self->registry, self->a);
    assert_null(find(self, "echo"));
    assert_null(registry_find_peer(&self->registry, 1));
    assert_int_equal(self->registry.peer_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_worker_with_the_least_work_is_picked),
        TEST(equals_take_turns),
        TEST(a_worker_at_its_limit_is_not_picked),
        TEST(an_instance_is_picked_by_name),
        TEST(a_new_offer_replaces_the_old),
        TEST(a_service_that_is_waited_for_is_kept),
        TEST(a_peer_that_goes_takes_its_offers_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
