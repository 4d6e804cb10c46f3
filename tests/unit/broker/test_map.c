#include "broker/map.h"
#include "tests/support/test.h"

static int values[2000];

static void what_was_put_is_found(void **state)
{
    (void)state;
    map_t map;
    map_init(&map);
    for (uint64_t key = 0; key < 2000; key++)
        map_put(&map, key * 64, &values[key]);
    for (uint64_t key = 0; key < 2000; key++)
        assert_ptr_equal(map_get(&map, key * 64), &values[key]);
    assert_null(map_get(&map, 1));
    assert_int_equal(map.count, 2000);
    map_done(&map);
}

static void removing_some_leaves_the_others(void **state)
{
    (void)state;
    map_t map;
    map_init(&map);
    for (uint64_t key = 0; key < 2000; key++)
        map_put(&map, key, &values[key]);
    for (uint64_t key = 0; key < 2000; key += 3)
        map_remove(&map, key);
    for (uint64_t key = 0; key < 2000; key++)
        assert_ptr_equal(map_get(&map, key), key % 3 ? (void *)&values[key] : NULL);
    map_done(&map);
}

static void putting_again_replaces(void **state)
{
    (void)state;
    map_t map;
    map_init(&map);
    map_put(&map, 7, &values[0]);
    map_put(&map, 7, &values[1]);
    assert_ptr_equal(map_get(&map, 7), &values[1]);
    assert_int_equal(map.count, 1);
    map_remove(&map, 8);
    assert_int_equal(map.count, 1);
    map_done(&map);
}

static void hashes_depend_on_seed_length_and_every_byte(void **state)
{
    (void)state;
    char text[] = "cluster@node-a-and-more";
    uint64_t hash = map_hash(1, text, sizeof(text) - 1);
    assert_true(hash != map_hash(2, text, sizeof(text) - 1));
    assert_true(hash != map_hash(1, text, sizeof(text) - 2));
    assert_true(map_hash(1, "\0", 1) != map_hash(1, "\0\0", 2));
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        text[i] ^= 1;
        assert_true(hash != map_hash(1, text, sizeof(text) - 1));
        text[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(removing_some_leaves_the_others),
        cmocka_unit_test(putting_again_replaces),
        cmocka_unit_test(hashes_depend_on_seed_length_and_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
