/* Load generator: loadgen PLAN
 * Sends and receives as the plan says. On standard input: "begin" starts the measured window,
 * "end" ends it and prints one JSON object. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fail.h"
#include "receiver.h"
#include "sender.h"

#define LATE_KEPT (1 << 23)

struct window {
    double seconds;
    struct samples gaps, worst, delay; /* worst: each leg's own p99 */
    uint64_t receiving_legs, unmatched;
};

static void await(const char *word) {
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, word) == 0) return;
        fprintf(stderr, "loadgen: expected %s, got %s\n", word, line);
    }
    errno = 0;
    fail("standard input ended before %s", word);
}

static size_t total_gaps(const struct plan *plan) {
    size_t total = 0;
    for (int i = 0; i < plan->legs_count; i++) total += plan->legs[i].gaps.count;
    return total;
}

static void gather_leg(struct window *w, struct leg *leg) {
    samples_append(&w->gaps, &leg->gaps);
    samples_sort(&leg->gaps);
    if (leg->received) w->receiving_legs++;
    if (leg->gaps.count) samples_add(&w->worst, samples_quantile(&leg->gaps, 0.99) * 1000LL);
    if (leg->listener == NULL) return;
    samples_append(&w->delay, &leg->listener->delay);
    w->unmatched += leg->listener->unmatched;
}

static void gather(struct window *w, struct plan *plan) {
    samples_reserve(&w->gaps, total_gaps(plan));
    samples_reserve(&w->worst, (size_t)plan->legs_count);
    samples_reserve(&w->delay, 1 << 16);
    for (int i = 0; i < plan->legs_count; i++) gather_leg(w, &plan->legs[i]);
    samples_sort(&w->gaps);
    samples_sort(&w->worst);
    samples_sort(&w->delay);
}

static void print_samples(const char *name, const struct samples *s) {
    printf("\"%s\": {\"n\": %zu, \"dropped\": %zu, \"min\": %d, \"p50\": %d, \"p99\": %d, "
           "\"max\": %d}, ",
           name, s->count, s->dropped, samples_quantile(s, 0), samples_quantile(s, 0.5),
           samples_quantile(s, 0.99), samples_quantile(s, 1));
}

static void print_window(const struct window *w, const struct sender *s, const struct receiver *r) {
    printf("{\"seconds\": %.6f, \"legs\": %d, ", w->seconds, r->plan->legs_count);
    printf("\"sent\": %lu, \"send_errors\": %lu, \"realtime\": %d, ", s->sent, s->errors,
           s->realtime);
    printf("\"received\": %lu, \"rtcp\": %lu, \"stun\": %lu, \"other\": %lu, \"bytes\": %lu, ",
           r->rtp, r->rtcp, r->stun, r->other, r->bytes);
    printf("\"lost\": %lu, \"reordered\": %lu, \"auth_failures\": %lu, \"receive_errors\": %lu, ",
           r->lost, r->reordered, r->auth_failures, r->errors);
    print_samples("send_late_us", &s->late);
    print_samples("interarrival_us", &w->gaps);
    print_samples("leg_p99_us", &w->worst);
    print_samples("delay_us", &w->delay);
    printf("\"unmatched\": %lu, \"receiving_legs\": %lu}\n", w->unmatched, w->receiving_legs);
}

static void run(struct sender *s, struct receiver *r, struct window *w, _Atomic int *phase) {
    pthread_t sending, receiving;
    if (pthread_create(&receiving, NULL, receiver_main, r)) fail("no thread");
    if (pthread_create(&sending, NULL, sender_main, s)) fail("no thread");
    await("begin");
    int64_t begin_ns = mono_ns();
    *phase = MEASURING;
    await("end");
    *phase = ENDING;
    w->seconds = (double)(mono_ns() - begin_ns) / NS_PER_S;
    pthread_join(sending, NULL);
    pthread_join(receiving, NULL);
}

int main(int count, char **arguments) {
    struct plan plan;
    struct window window = {0};
    _Atomic int phase = WARMING;
    if (count != 2) fail("usage: loadgen PLAN");
    secure_init();
    plan_load(&plan, arguments[1]);
    struct sender sender = {.plan = &plan, .phase = &phase};
    struct receiver receiver = {.plan = &plan, .phase = &phase};
    samples_reserve(&sender.late, LATE_KEPT);
    run(&sender, &receiver, &window, &phase);
    samples_sort(&sender.late);
    gather(&window, &plan);
    print_window(&window, &sender, &receiver);
    return 0;
}
