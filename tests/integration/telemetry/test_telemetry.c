/* The telemetry service, in virtual time. */
#include "tests/integration/telemetry/stage.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

static void an_environment_is_collected_from_its_creation(void **state)
{
    world_t *world = *state;

    publish_state(world, "creating");
    run(world, 3500);

    assert_in_range(world->scrapes, 3, 4);
    assert_in_range(world->samples, 3, 4);
    assert_int_equal(world->sample_count, 5); /* three of the node, two of the pod */
    assert_int_equal(world->events, 1);
}

static void one_without_an_address_is_asked_for_again(void **state)
{
    world_t *world = *state;
    world->has_server = false;
    publish_state(world, "creating");
    run(world, 1000);
    assert_int_equal(world->scrapes, 0);

    world->has_server = true;
    run(world, 3000);

    assert_in_range(world->scrapes, 1, 4);
}

static void one_that_is_gone_is_left_alone(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 2000);

    publish_state(world, "gone");
    run(world, 100);
    int scrapes = world->scrapes;
    run(world, 5000);

    assert_int_equal(world->scrapes, scrapes);
}

static void a_restarted_telemetry_finds_what_there_is(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 1500);
    stop_telemetry(world);
    world->scrapes = 0;

    start_telemetry(world);
    run(world, 2500);

    assert_in_range(world->scrapes, 1, 3);
}

static void the_log_of_a_service_is_its_first_pods(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask_for_log(world, ENV, "geo");

    assert_string_equal(world->text, "first\nsecond\n");
}

static void an_unknown_service_is_answered_as_in_the_original(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask_for_log(world, ENV, "nobody");

    assert_int_equal(world->err.code, ERR_NOT_FOUND);
    assert_string_equal(
        world->err.text, "Error: Your service/namespace does not exist. Use kubectl to check.");
}

static void an_environment_may_be_asked_for_before_it_is_known(void **state)
{
    world_t *world = *state;

    ask_for_log(world, ENV, "geo");

    assert_string_equal(world->text, "first\nsecond\n");
}

static void an_environment_that_is_not_there_is_an_error(void **state)
{
    world_t *world = *state;

    ask_for_log(world, "env-none", "geo");

    assert_int_equal(world->answers, 1);
    assert_int_equal(world->err.code, ERR_UNAVAILABLE);
    assert_string_equal(world->err.text, "environment 'env-none': it does not exist");
}

static void metrics_are_files_as_in_the_original(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 2500);

    ask(world, &metrics_export_type,
        &(metrics_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_non_null(strstr(file(world, "container/kpi_container_cpu_usage_seconds_total.csv"),
        ",kind-worker.geo-1,container_cpu_usage_seconds_total,1.5\n"));
    assert_non_null(strstr(file(world, "container/kpi_container_network_receive_bytes_total.csv"),
        ",kind-worker.geo-1,container_network_receive_bytes_total.eth0,77.0\n"));
    assert_non_null(strstr(file(world, "container/kpi_container_threads_max.csv"), ",512.0\n"));
    assert_string_equal(file(world, "container/kpi_container_fs_reads_total.csv"), "");
}

static void beside_them_are_the_applications_own(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 2500);

    ask(world, &metrics_export_type,
        &(metrics_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_non_null(strstr(file(world, "app/kpi_http_requests_total.csv"),
        ",kind-worker.geo-1,http_requests_total.route=/nearby.status=200,12.0\n"));
    assert_string_equal(file(world, "app/kpi_http_request_duration_seconds_bucket.csv"), "");
}

static void and_what_the_load_generator_saw(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 1500);
    load_report_t report = {.load = "wrk2-job-x",
        .env = ENV,
        .second = 1,
        .sent = 10,
        .ok = 8,
        .errors = 2,
        .p50_ms = 1.25};
    bus_publish(world->client, "env/" ENV "/load", &load_report_type, &report);
    run(world, 100);

    ask(world, &metrics_export_type,
        &(metrics_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_non_null(
        strstr(file(world, "load/kpi_load_errors.csv"), ",wrk2-job-x,load_errors,2.0\n"));
}

static void traces_are_a_file_as_in_the_original(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask(world, &traces_export_type,
        &(traces_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_string_equal(file(world, "traces.csv"),
        "trace_id,span_id,parent_span,service_name,operation_name,start_time,duration,has_error,"
        "response\nt1,a,ROOT,geo,/nearby,10,30,False,Unknown\n");
}

static void a_namespace_without_traces_is_an_error(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask(world, &traces_export_type,
        &(traces_export_t){.env = ENV, .namespace = "default", .duration_min = 5});

    assert_int_equal(world->err.code, ERR_NOT_FOUND);
    assert_string_equal(world->err.text, "it is not there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_environment_is_collected_from_its_creation),
        TEST(one_without_an_address_is_asked_for_again),
        TEST(one_that_is_gone_is_left_alone),
        TEST(a_restarted_telemetry_finds_what_there_is),
        TEST(the_log_of_a_service_is_its_first_pods),
        TEST(an_unknown_service_is_answered_as_in_the_original),
        TEST(an_environment_may_be_asked_for_before_it_is_known),
        TEST(an_environment_that_is_not_there_is_an_error),
        TEST(metrics_are_files_as_in_the_original),
        TEST(beside_them_are_the_applications_own),
        TEST(and_what_the_load_generator_saw),
        TEST(traces_are_a_file_as_in_the_original),
        TEST(a_namespace_without_traces_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
